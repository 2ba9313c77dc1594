"""After the timings: what the plain twin takes, in units of ours."""


def pytest_terminal_summary(terminalreporter, config):
    medians = {}
    for timing in config._benchmarksession.benchmarks:
        kind = timing.name.rstrip("]").rpartition("[")[2].rpartition("-")[2]
        what = timing.extra_info["what"], timing.extra_info["unit"]
        medians.setdefault(what, {})[kind] = timing.stats.median / timing.extra_info["repeats"]
    terminalreporter.section("ours and the plain twin, medians")
    for (what, unit), seconds in medians.items():
        ratio = seconds["naive"] / seconds["ours"]
        terminalreporter.write_line(
            f"{what}: {1e3 * seconds['ours']:.3g} ms {unit}, the twin {1e3 * seconds['naive']:.3g} ms: {ratio:.1f} times"
        )
