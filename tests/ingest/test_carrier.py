"""When UDP that loses too much is given up for TCP, and when TCP for UDP."""

import pytest

from contracts.cameras import RtspTransport
from ingest.carrier import (
    AGAIN_S,
    PACKETS_MIN,
    SETTLED_S,
    TRIAL_S,
    UNOPENED_MAX,
    Brought,
    Carrier,
    Changeover,
)
from ingest.errors import CredentialsRefused, SourceUnavailable, TransportRefused

UDP, TCP, ONLY = RtspTransport.UDP, RtspTransport.TCP, RtspTransport.UDP_ONLY
REFUSED = TransportRefused(
    "gate", "it does not send by that (461)", remedy="set its transport to another"
)
GONE = SourceUnavailable("gate", "it cannot be reached")
FPS = 10


class Line:
    """What a camera's carrier is told, in seconds that a test makes pass."""

    def __init__(self, wanted: RtspTransport = UDP) -> None:
        self.now_s = 100.0
        self.carrier = Carrier(wanted, now_s=self.now_s)
        self.lost = 0
        self.changes: list[Changeover] = []

    @property
    def transport(self) -> RtspTransport:
        return self.carrier.transport

    def open(self) -> None:
        self.lost = 0
        self.carrier.opened(now_s=self.now_s)

    def play(
        self,
        seconds: float,
        *,
        damaged_in_ten: int = 0,
        loses: bool | None = None,
        waiting: float = 1.0,
        is_punctual: bool = True,
        is_thinned: bool = False,
    ) -> None:
        """Play until it is over or another carrier is wanted."""
        for number in range(round(seconds * FPS)):
            self.now_s += 1 / FPS
            is_damaged = number % 10 < damaged_in_ten
            self.lost += is_damaged if loses is None else loses
            brought = Brought(
                pictures=1,
                damaged=int(is_damaged),
                lost_total=self.lost,
                waiting=waiting,
                is_punctual=is_punctual,
                is_thinned=is_thinned,
            )
            change = self.carrier.note(brought, now_s=self.now_s)
            if change is not None:
                self.changes.append(change)
                return

    def fail(self, error: SourceUnavailable | TransportRefused | CredentialsRefused) -> None:
        change = self.carrier.failed(error, now_s=self.now_s)
        if change is not None:
            self.changes.append(change)


def lossy(*, tried: bool = False) -> Line:
    """A camera by UDP that has lost too much; ``tried``: and stands by TCP now."""
    line = Line()
    line.open()
    line.play(SETTLED_S + 1, damaged_in_ten=5)
    if tried:
        line.open()
    return line


def test_a_camera_that_loses_much_goes_over_to_tcp_and_says_why() -> None:
    line = lossy()

    [change] = line.changes
    assert (change.before, change.after, line.transport) == (UDP, TCP, TCP)
    assert "of its pictures arrived damaged within 10 s (allowed: 20%)" in change.cause
    assert "read by TCP from now on" in change.cause
    assert change.lasted_s == pytest.approx(SETTLED_S, abs=0.2)


def test_nothing_is_decided_before_the_connection_has_settled() -> None:
    line = Line()
    line.open()
    line.play(SETTLED_S - 0.2, damaged_in_ten=10)
    line.open()
    line.play(SETTLED_S - 0.2, damaged_in_ten=10)

    assert line.changes == []


@pytest.mark.parametrize(("damaged", "is_over"), [(1, False), (3, True)])
def test_a_few_damaged_pictures_are_borne_even_if_they_go_on(damaged: int, is_over: bool) -> None:
    line = Line()
    line.open()
    line.play(60.0, damaged_in_ten=damaged)

    assert bool(line.changes) is is_over


def test_one_burst_of_losses_is_no_reason_however_much_rests_on_it() -> None:
    line = Line()
    line.open()
    line.play(SETTLED_S)
    line.play(1.5, damaged_in_ten=10)
    line.play(8.0, damaged_in_ten=10, loses=False)  # until the next key picture

    assert line.changes == []


def test_damage_without_loss_is_the_cameras_own() -> None:
    line = Line()
    line.open()
    line.play(60.0, damaged_in_ten=10, loses=False)

    assert line.changes == []


def test_a_machine_that_is_too_busy_to_read_would_be_late_by_tcp() -> None:
    line = Line()
    line.open()
    line.play(60.0, damaged_in_ten=5, waiting=0.1)

    assert line.changes == []


def test_a_machine_without_time_to_decode_all_says_nothing_of_udp_until_it_has_it_again() -> None:
    line = Line()
    line.open()
    line.play(60.0, damaged_in_ten=5, is_thinned=True)
    line.play(SETTLED_S - 1, damaged_in_ten=5)
    assert line.changes == []

    line.play(2.0, damaged_in_ten=5)
    assert line.transport is TCP


def test_what_was_lost_for_want_of_time_is_not_held_against_the_line_later() -> None:
    line = Line()
    line.open()
    line.play(60.0, damaged_in_ten=5, is_thinned=True)
    line.play(60.0, damaged_in_ten=5, loses=False)

    assert line.changes == []


@pytest.mark.parametrize(("packets", "is_over"), [(PACKETS_MIN - 1, False), (PACKETS_MIN, True)])
def test_a_share_of_few_pictures_says_nothing(packets: int, is_over: bool) -> None:
    line = Line()
    line.open()
    for number in range(packets):
        brought = Brought(pictures=1, damaged=1, lost_total=number)
        if change := line.carrier.note(brought, now_s=101.5 + SETTLED_S * number / PACKETS_MIN):
            line.changes.append(change)

    assert bool(line.changes) is is_over


def test_loss_that_leaves_no_picture_at_all_is_loss_as_well() -> None:
    line = Line()
    line.open()
    for second in range(20):
        brought = Brought(pictures=0, lost_total=5 * second)
        if change := line.carrier.note(brought, now_s=100.0 + second):
            line.changes.append(change)

    assert line.transport is TCP


@pytest.mark.parametrize("wanted", [TCP, ONLY])
def test_who_is_told_to_keep_to_a_carrier_keeps_to_it(wanted: RtspTransport) -> None:
    line = Line(wanted)
    line.open()
    line.play(60.0, damaged_in_ten=10)
    line.fail(REFUSED)

    assert (line.changes, line.transport) == ([], wanted)


def test_tcp_that_brings_pictures_is_kept_whatever_comes() -> None:
    line = lossy(tried=True)
    line.play(SETTLED_S + 1)
    for error in (GONE, REFUSED):
        line.fail(error)
        line.open()
        line.play(60.0, is_punctual=False)

    assert (line.transport, len(line.changes)) == (TCP, 1)


def test_tcp_that_is_refused_is_not_asked_for_again() -> None:
    line = lossy()
    line.fail(REFUSED)
    line.open()
    line.play(3 * AGAIN_S, damaged_in_ten=5)

    assert [change.after for change in line.changes] == [TCP, UDP]
    assert "it does not send by that (461); it is read by UDP again" in line.changes[-1].cause
    assert "TCP was tried and did not work" in line.carrier.advice


def test_tcp_that_failed_is_tried_again_after_a_long_time_only() -> None:
    line = lossy(tried=True)
    line.fail(GONE)
    line.open()
    line.play(AGAIN_S - 1, damaged_in_ten=5)
    assert [change.after for change in line.changes] == [TCP, UDP]
    assert "tried again in 30 min at the soonest" in line.changes[-1].cause

    line.play(10.0, damaged_in_ten=5)
    assert line.transport is TCP


def test_tcp_that_breaks_off_before_it_has_proved_itself_has_failed() -> None:
    line = lossy(tried=True)
    line.play(SETTLED_S - 1)
    line.fail(GONE)

    assert line.transport is UDP


def test_a_camera_that_cannot_be_opened_says_nothing_of_tcp() -> None:
    line = lossy()
    for _ in range(UNOPENED_MAX - 1):
        line.fail(GONE)
    assert line.transport is TCP

    line.open()
    line.play(SETTLED_S + 1)
    assert (line.transport, len(line.changes)) == (TCP, 1)


def test_a_fault_before_a_connection_stands_is_none_of_the_one_before() -> None:
    line = lossy(tried=True)
    line.carrier.connecting()  # the one before ended by an error that nobody foresaw
    line.fail(GONE)

    assert line.transport is TCP


def test_a_camera_that_opens_by_udp_alone_is_left_there() -> None:
    line = lossy()
    for _ in range(UNOPENED_MAX):
        line.fail(GONE)
    assert line.transport is UDP

    line.open()
    line.play(AGAIN_S - 60, damaged_in_ten=5)
    line.fail(GONE)
    line.open()
    line.play(30.0, damaged_in_ten=5)
    assert line.transport is UDP
    assert "TCP was tried and did not work" in line.carrier.advice


def test_a_camera_that_opens_by_neither_was_away_and_is_read_by_tcp_soon_again() -> None:
    line = lossy()
    for _ in range(UNOPENED_MAX + 3):
        line.fail(GONE)
    assert (line.transport, line.carrier.advice) == (UDP, "")

    line.open()
    line.play(SETTLED_S + 1, damaged_in_ten=5)
    assert line.transport is TCP


def test_pictures_that_are_late_by_tcp_for_want_of_time_say_nothing_of_it() -> None:
    line = lossy(tried=True)
    line.play(2 * TRIAL_S, is_punctual=False, is_thinned=True)
    line.play(TRIAL_S - 1, is_punctual=False)
    assert line.transport is TCP

    line.play(2.0, is_punctual=False)
    assert line.transport is UDP


def test_tcp_by_which_pictures_come_too_late_has_failed() -> None:
    line = lossy(tried=True)
    line.play(TRIAL_S - 1, is_punctual=False)
    assert line.transport is TCP
    line.play(2.0, is_punctual=False)

    assert line.transport is UDP
    assert "too late to be shown" in line.changes[-1].cause


def test_refused_credentials_say_nothing_of_the_carrier() -> None:
    line = lossy()
    line.fail(CredentialsRefused("gate", "401"))

    assert line.transport is TCP


def test_a_camera_that_refuses_udp_is_read_by_tcp() -> None:
    line = Line()
    line.fail(REFUSED)
    assert line.transport is TCP
    assert "set its transport to another" not in line.changes[0].cause, "nobody has to, now"

    for _ in range(5):
        line.fail(REFUSED)  # and this as well: it stays with what is set

    assert [change.after for change in line.changes] == [TCP, UDP]


def test_udp_that_is_blocked_is_given_up_at_the_second_time() -> None:
    line = Line()
    line.open()
    line.fail(GONE)
    assert line.transport is UDP
    line.open()
    line.fail(GONE)

    assert line.transport is TCP
    assert "nothing came (is a firewall between?)" in line.changes[0].cause


def test_a_camera_that_is_away_says_nothing_of_udp() -> None:
    line = Line()
    for _ in range(5):
        line.fail(GONE)

    assert line.changes == []


def test_advice_names_the_setting_that_forbids_tcp() -> None:
    assert "udp_only" in Line(ONLY).carrier.advice
    assert (Line(UDP).carrier.advice, Line(TCP).carrier.advice) == ("", "")
