"""Work that is not ours."""

from __future__ import annotations

import pytest

from cemai_opt.meters import ForeignLoad


class Scene:
    """Clocks moved by hand."""

    now_s, own_s, busy_s = 0.0, 0.0, 0.0

    def load(self, cores: int = 2) -> ForeignLoad:
        """A watch on this scene."""
        return ForeignLoad(lambda: self.now_s, lambda: self.own_s, busy_clock=lambda: self.busy_s, cores=cores)


def test_own_work_is_not_foreign() -> None:
    """One core of two busy with our own: no foreign load; the other one with somebody else's: a half."""
    scene = Scene()
    load = scene.load()
    scene.now_s = scene.own_s = scene.busy_s = 1.0
    assert load.share() == 0.0
    scene.now_s, scene.own_s, scene.busy_s = 2.0, 2.0, 3.0
    assert load.share() == pytest.approx(0.5)


def test_a_short_span_says_nothing() -> None:
    """Ticks of 10 ms on a span of 20 ms would be noise: the span reaches back to an older reading."""
    scene = Scene()
    load = scene.load()
    scene.now_s, scene.busy_s = 0.02, 0.01
    assert load.share() == 0.0
    scene.now_s, scene.busy_s = 1.0, 0.5
    assert load.share() == pytest.approx(0.25)
    scene.now_s, scene.busy_s = 1.3, 0.5
    assert load.share() == pytest.approx(0.49 / (2 * 1.28))
