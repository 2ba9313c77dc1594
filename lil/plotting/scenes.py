"""Three-dimensional plotly scenes side by side, for points that the reader turns, above a slider for the seed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float


def add_points(figure: go.Figure, points: Float[np.ndarray, "n 3"], panel: int, *, marker: dict, **trace) -> None:
    """Points in the scene of one panel, in single precision: the page carries them all."""
    x, y, z = points.astype(np.float32).T
    figure.add_scatter3d(x=x, y=y, z=z, mode="markers", marker=marker, scene=_name(panel), **trace)


def side_by_side(figure: go.Figure, titles: Sequence[str], steps: list[dict], *, height: float) -> go.Figure:
    """Lay out as many scenes as there are titles, seen from ``height``, and a slider over ``steps``, one a seed."""
    blank = dict(showticklabels=False, title="")
    camera = dict(eye=dict(x=1.5, y=1.5, z=height))
    for panel, title in enumerate(titles):
        domain = dict(x=[panel / len(titles), (panel + 1) / len(titles) - 0.01], y=[0, 0.92])
        scene = dict(domain=domain, aspectmode="data", camera=camera, xaxis=blank, yaxis=blank, zaxis=blank)
        figure.update_layout({_name(panel): scene})
        place = dict(x=(panel + 0.5) / len(titles), y=1, xref="paper", yref="paper", xanchor="center")
        figure.add_annotation(text=title, showarrow=False, **place)
    return figure.update_layout(
        height=430,
        margin=dict(l=10, r=10, t=45, b=10),
        showlegend=False,
        sliders=[dict(active=0, currentvalue=dict(prefix="seed "), steps=steps, pad=dict(t=10))],
    )


def _name(panel: int) -> str:
    """Plotly's name of the scene of a panel."""
    return "scene" if panel == 0 else f"scene{panel + 1}"
