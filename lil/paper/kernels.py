"""The kernels in which notebooks are executed: this interpreter's own, as a program or as a copy of this process."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
from contextlib import suppress
from typing import Any, cast

from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager


class OwnKernel(AsyncKernelManager):
    """The kernel of this interpreter: another environment may have put its own ``python3`` on Jupyter's path."""

    @property
    def kernel_spec(self) -> KernelSpec:
        return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())

    async def shutdown_kernel(self, now: bool = False, restart: bool = False) -> None:  # type: ignore[override]
        """Ask the kernel to end, and interrupt it only if it still runs after a second.

        Jupyter interrupts it at once, which a kernel that has only just answered prints as an error.
        """
        await self.request_shutdown(restart)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._async_wait(), timeout=1)
        await super().shutdown_kernel(now, restart)


class CopiedKernel(OwnKernel):
    """The same as a copy of this process, which has imported what the notebook will import: that takes seconds.

    It is for a process that has computed nothing yet, as threads of torch and numba do not outlive the copying.
    """

    async def _async_launch_kernel(self, kernel_cmd: list[str], **options: Any) -> None:
        """Start the kernel, where Jupyter would start a program."""
        provisioner: Any = self.provisioner  # Jupyter's for a local kernel
        provisioner.process = _Copy(kernel_cmd[kernel_cmd.index("-f") :], options["env"])
        provisioner.pid = provisioner.process.pid
        self._reconcile_connection_info(provisioner.connection_info)


class _Copy:
    """A kernel in a copy of this process, with what Jupyter asks of a :class:`subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, arguments: list[str], environment: dict[str, str]):
        how = [*arguments, f"--IPKernelApp.parent_handle={os.getpid()}"]  # it ends where this process does
        self.process = multiprocessing.get_context("fork").Process(target=_run, args=(how, environment))
        self.process.start()
        self.pid = cast(int, self.process.pid)
        self.kill, self.terminate = self.process.kill, self.process.terminate

    def poll(self) -> int | None:
        return self.process.exitcode

    def wait(self) -> int | None:
        self.process.join()
        return self.poll()

    def send_signal(self, number: int) -> None:
        if sys.platform != "win32" and self.poll() is None:
            os.kill(self.pid, number)


def _run(arguments: list[str], environment: dict[str, str]) -> None:
    from ipykernel.kernelapp import launch_new_instance

    if sys.platform != "win32":
        os.setsid()  # an interrupt at the terminal is for those who wait for it
    os.environ.clear()
    os.environ.update(environment)
    asyncio.set_event_loop(asyncio.new_event_loop())  # this process's own runs in the frames that were copied
    launch_new_instance(arguments)
