"""The cues of one camera's run, and the order in which they look."""

from vision.cues.bodies import BodyCue
from vision.cues.flames import FlamesCue
from vision.cues.port import Cues, Glimpse
from vision.cues.scuffle import ScuffleCue
from vision.cues.smoke import SmokeCue
from vision.cues.things import ThingsCue
from vision.cues.view import ViewCue


class CueReaders:
    """Asks every cue about every frame."""

    def __init__(self) -> None:
        self._bodies = BodyCue()
        self._things = ThingsCue()
        self._flames = FlamesCue()
        self._smoke = SmokeCue()
        self._view = ViewCue()
        self._scuffle = ScuffleCue()
        self._last = Cues()

    def look(self, glimpse: Glimpse) -> Cues:
        """Return what they say; each sees every frame once, in order.

        Smears look like smoke, like things that were left and like a hand on the lens: of a
        patched picture they say what they said before.
        """
        if glimpse.header.is_patched:
            return self._last
        self._last = Cues(
            bodies=self._bodies.look(glimpse),
            things=self._things.look(glimpse),
            flames=self._flames.look(glimpse),
            smoke=self._smoke.look(glimpse),
            view=self._view.look(glimpse),
            scuffles=self._scuffle.look(glimpse),
        )
        return self._last
