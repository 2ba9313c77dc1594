"""Points in three dimensions: still in matplotlib, and in plotly's scenes to turn, above a slider for the seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float
from matplotlib.axes import Axes


def draw_points(ax: Axes, points: Float[np.ndarray, "n 3"], **look: Any) -> None:
    """Draw points without ticks: a layout's coordinates have no unit."""
    ax.scatter(*points.T, depthshade=False, rasterized=True, **look)
    ax.set(xticks=[], yticks=[], zticks=[], box_aspect=np.ptp(points, axis=0))


def add_points(figure: go.Figure, points: Float[np.ndarray, "n 3"], panel: int, **trace: Any) -> None:
    """Add points to the scene of one panel, in single precision: the page carries them all."""
    x, y, z = points.astype(np.float32).T
    figure.add_scatter3d(x=x, y=y, z=z, mode="markers", scene=_name(panel), **trace)


def side_by_side(figure: go.Figure, titles: Sequence[str], changes: Mapping[Any, dict], *, height: float) -> go.Figure:
    """Lay out a scene for each title, seen from ``height``, and a slider over the changes by their keys: seeds."""
    blank = dict(showticklabels=False, title="")
    camera = dict(eye=dict(x=1.5, y=1.5, z=height))
    for panel, title in enumerate(titles):
        domain = dict(x=[panel / len(titles), (panel + 1) / len(titles) - 0.01], y=[0, 0.92])
        scene = dict(domain=domain, aspectmode="data", camera=camera, xaxis=blank, yaxis=blank, zaxis=blank)
        figure.update_layout({_name(panel): scene})
        place = dict(x=(panel + 0.5) / len(titles), y=1, xref="paper", yref="paper", xanchor="center")
        figure.add_annotation(text=title, showarrow=False, **place)
    steps = [dict(label=str(seed), method="restyle", args=[change]) for seed, change in changes.items()]
    slider = dict(active=0, currentvalue=dict(prefix="seed "), steps=steps, pad=dict(t=10))
    return figure.update_layout(height=430, margin=dict(l=10, r=10, t=45, b=10), showlegend=False, sliders=[slider])


def _name(panel: int) -> str:
    """Return plotly's name of the scene of a panel."""
    return "scene" if panel == 0 else f"scene{panel + 1}"
