"""English.

Placeholders are a claim's arguments, already written out with units, and:
``{it}`` a track that was introduced ("the person", "it"), ``{a}`` one that was not
("a person", "something"), ``{other}`` the second track, ``{place}`` a zone's or line's name.
"""

from collections.abc import Mapping
from typing import Final

CLAIMS: Final[Mapping[str, str]] = {
    "present": "{a} was followed for {seconds}.",
    "label": "{share} of the detections of {it} say {label}.",
    "seen": "{it} was seen in {share} of the frames.",
    "confident": "The detector's middle confidence in {it} is {confidence}.",
    "entered_from": "{it} came in from the {side} of the picture.",
    "entered_from.inside": "{it} appeared inside the picture, {distance} from its edge.",
    "inside": "{it} stands {depth} inside the edge of {zone}.",
    "inside.outside": "{it} stands {depth} outside the edge of {zone}.",
    "inside.whole": "{it} stands in {zone}, which is all of the picture.",
    "dwell": "{it} has been in {zone} for {seconds}.",
    "crossed": "{it} crossed {line} to the {direction}, with a step of {step}.",
    "path": "{it} went a way of {length}.",
    "displaced": "{it} was up to {distance} away from where it was first seen.",
    "speed": "{it} moves at {speed}.",
    "area": "{it} covers {share} of the picture.",
    "came_down": "The head of {it} came down by {heights}.",
    "down": "{it} has been down for {seconds}.",
    "posture": "{it} looks {posture}, by {share}.",
    "hour": "It was {hour} local time.",
    "meets_rule.s": "{it} stayed {value} in {place}; the rule asks for {threshold}.",
    "meets_rule.zone.picture": "{it} came into {place}, {value} beyond its edge.",
    "meets_rule.zone.picture.whole": "{it} came into {place}, which is all of the picture.",
    "meets_rule.line.picture": "{it} crossed {place} and stood {value} beyond it.",
    "meets_rule.abandoned": "{it} has been alone in {place} for {value}; the rule asks for"
    " {threshold}.",
    "meets_rule.fire": "{it} has burnt in {place} for {value}; the rule asks for {threshold}.",
    "meets_rule.smoke": "A grey veil, such as smoke or steam, hangs in {place} with a likelihood"
    " of {value}; the rule asks for {threshold}.",
    "meets_rule.removed": "{it} stood in {place} for {value} and is gone; the rule asks for"
    " {threshold}.",
    "meets_rule.zone_exit": "{it} left {place} and was outside for {value};"
    " the rule asks for {threshold}.",
    "meets_rule.crowd": "{value} were in {place} at the same time; the rule asks for {threshold}.",
    "meets_rule.wrong_way": "{it} went {value} off the direction that is allowed in {place};"
    " from {threshold} on it is wrong.",
    "meets_rule.speed": "{it} went {value} in {place}; the rule allows less than {threshold}.",
    "meets_rule.running": "{it} went {value} in {place}; from {threshold} on it is running.",
    "meets_rule.tailgate": "{it} crossed {place} {value} after another;"
    " the rule asks for more than {threshold} between them.",
    "meets_rule.sequence": "{value} lay between the two things that rule {rule} watches for,"
    " the last of them by {it}; it asks for at most {threshold}.",
    "meets_rule.fall": "{it} fell in {place} with a likelihood of {value}; the rule asks for"
    " {threshold}.",
    "meets_rule.fight": "In {place} people move against each other as in a fight, with a likelihood"
    " of {value}; the rule asks for {threshold}.",
    "meets_rule": "{it} met rule {rule} at {place}: {value}; the rule asks for {threshold}.",
    "alone": "Nobody and nothing else was being followed in the picture.",
    "others_present": "{count} other people or things were being followed in the picture.",
    "others_present.1": "One other person or thing was being followed in the picture.",
    "near": "{it} was {distance} away from {other}.",
    "left_by": "{other} was {distance} away from {it} when it was put there.",
    "owner_away": "{other}, who had been with {it}, is {distance} away from it.",
    "owner_away.gone": "{other}, who had been with {it}, is gone: last seen {distance} away.",
    "taken_by": "{other} was {distance} away from {it} when it went.",
    "is_intrusion": "This is an intrusion: {a} is in {place}, where rule {rule} allows nobody.",
    "is_entry": "{a} entered {place}, which rule {rule} watches.",
    "is_crossing": "{a} crossed {place}, which rule {rule} watches.",
    "is_loitering": "{a} is lingering in {place} for longer than rule {rule} allows.",
    "is_exit": "{a} left {place}, which rule {rule} watches.",
    "is_crowd": "A crowd has gathered in {place}, larger than rule {rule} allows.",
    "is_wrong_way": "{a} goes against the direction that rule {rule} allows in {place}.",
    "is_speeding": "{a} goes faster in {place} than rule {rule} allows.",
    "is_running": "{a} is running in {place}.",
    "is_tailgating": "{a} followed somebody over {place} more closely than rule {rule} allows.",
    "is_sequence": "What rule {rule} watches for happened in its order.",
    "is_fall": "{a} fell and is lying in {place}.",
    "is_fight": "People are fighting in {place}.",
    "is_abandoned": "{a} was left in {place} and its owner is gone.",
    "is_removal": "{a} was taken away from {place}.",
    "is_fire": "Something burns in {place}.",
    "is_smoke": "Smoke rises in {place}.",
    "is_tamper": "The camera no longer sees what it should: {a}.",
    "could_be": "It may also be {cause}.",
    "not_detector_noise": "No false detection: {it} was seen in {value} of the frames.",
    "perhaps_detector_noise": "{it} was seen in only {value} of the frames.",
    "not_light_change": "No change of light: the brightness changed by {value}.",
    "perhaps_light_change": "The light changed by {value} when {it} appeared.",
    "not_camera_movement": "No movement of the camera: {value} of the picture moved at once.",
    "perhaps_camera_movement": "{value} of the picture moved at once.",
    "not_edge_touch": "No mere touch of the edge: {it} stands {value} inside {zone}.",
    "not_edge_touch.whole": "No mere touch of the edge: {zone} is all of the picture.",
    "perhaps_edge_touch": "{it} stands at the very edge of {zone}.",
    "not_line_touch": "No mere touch of the line: {it} went on to {value} beyond {line}.",
    "perhaps_line_touch": "{it} has come only {value} beyond {line} so far.",
    "not_passing_by": "Not just passing by: in {seconds} {it} got no further than {distance}"
    " from where it was first seen.",
    "perhaps_passing_by": "{it} was on the move: in {seconds} it got {distance} away"
    " from where it was first seen.",
    "not_side_step": "No mere step aside: {it} got {value} away from where it was first seen.",
    "perhaps_side_step": "{it} was never further than {value} from where it was first seen.",
    "not_brief_glimpse": "No brief glimpse: {it} was followed for {value}.",
    "perhaps_brief_glimpse": "{it} was seen for only {value}, hardly longer than it takes to"
    " measure how it moves.",
    "not_sitting_down": "No mere sitting down: the head of {it} came down by {value}.",
    "perhaps_sitting_down": "The head of {it} came down by only {value}.",
    "not_bending_down": "No mere bending down: {it} has been down for {value}.",
    "perhaps_bending_down": "{it} has been down for only {value} so far.",
    "not_lying_down": "Not lying down at leisure: {it} came down at {value}.",
    "perhaps_lying_down": "{it} came down slowly, at {value}.",
    "not_lost_box": "No mere loss of sight: {value} of where the head of {it} was looks otherwise.",
    "perhaps_lost_box": "Only {value} of where the head of {it} was looks otherwise.",
    "not_sway": "Nothing that sways on the spot: {it} got {value} away"
    " from where it was first seen.",
    "perhaps_sway": "{it} was never further than {value} from where it was first seen.",
    "not_too_small": "Not too small: {it} covers {value} of the picture.",
    "perhaps_too_small": "{it} is small: it covers {value} of the picture.",
    "not_wrong_object": "Not mistaken for something else: {value} of the detections say {label}.",
    "perhaps_wrong_object": "Only {value} of the detections say {label}.",
    "not_weak_detection": "No weak detection: the middle confidence is {value}.",
    "perhaps_weak_detection": "The detector is unsure: its middle confidence is {value}.",
    "near_threshold": "{it} stayed hardly longer than asked: {seconds} against {threshold}.",
    "kind_unknown": "Its kind is not known, since the detector names none.",
    "verdict.confirmed": "The measurements confirm what the rule says.",
    "verdict.contradicted": "The measurements contradict what the rule says.",
    "verdict.unverified": "What the rule says could not be checked against measurements.",
    "verdict.abstained": "Nothing was reasoned; the rule's word stands alone.",
}
"""A claim's sentence; ``predicate.variant`` where it reads differently."""

MALFORMED: Final = "Something that cannot be read."

CAUSES: Final[Mapping[str, str]] = {
    "detector_noise": "a false detection",
    "light_change": "a change of light",
    "camera_movement": "a movement of the camera",
    "edge_touch": "a mere touch of the zone's edge",
    "line_touch": "a mere touch of the line",
    "passing_by": "somebody passing by",
    "side_step": "a step aside",
    "brief_glimpse": "too short a look to measure by",
    "sitting_down": "somebody sitting down",
    "bending_down": "somebody bending down",
    "lying_down": "somebody lying down on purpose",
    "lost_box": "a loss of sight of somebody who still stands",
    "sway": "something swaying on the spot, such as foliage",
    "too_small": "something small, such as an animal",
    "wrong_object": "another kind of object",
    "weak_detection": "a weak detection",
}

TITLES: Final[Mapping[str, str]] = {
    "is_intrusion": "Intrusion: {bare} in {place}",
    "is_entry": "Zone entry: {bare} entered {place}",
    "is_crossing": "Line crossing: {bare} crossed {place}",
    "is_loitering": "Loitering: {bare} in {place}",
    "is_loitering.stayed": "Loitering: {bare} stayed {value} in {place}",
    "is_exit": "Zone exit: {bare} left {place}",
    "is_crowd": "Crowd: {value} in {place}",
    "is_wrong_way": "Wrong way: {bare} in {place}",
    "is_speeding": "Speed: {bare} at {value} in {place}",
    "is_running": "Running: {bare} in {place}",
    "is_tailgating": "Tailgating: {bare} {value} behind another over {place}",
    "is_sequence": "Sequence at {place}: {bare}",
    "is_fall": "Fall: {bare} lying in {place}",
    "is_fight": "Fight in {place}",
    "is_abandoned": "Abandoned object in {place}",
    "is_removal": "Object removed from {place}",
    "is_fire": "Fire in {place}",
    "is_smoke": "Smoke in {place}",
    "is_tamper": "Camera tampered with: {bare}",
    "unchecked": "{kind}, not confirmed: {bare} at {place}",
    "unplaced": "{kind}, not confirmed: {bare}",
}

KINDS: Final[Mapping[str, str]] = {
    "intrusion": "Intrusion",
    "zone_entry": "Zone entry",
    "line_cross": "Line crossing",
    "loiter": "Loitering",
    "zone_exit": "Zone exit",
    "crowd": "Crowd",
    "wrong_way": "Wrong way",
    "speed": "Speed",
    "running": "Running",
    "tailgate": "Tailgating",
    "sequence": "Sequence",
    "fall": "Fall",
    "fight": "Fight",
    "abandoned": "Abandoned object",
    "removed": "Object removed",
    "fire": "Fire",
    "smoke": "Smoke",
    "tamper": "Camera tampering",
}

SEEN: Final[Mapping[str, str]] = {
    "meets_rule.fire": "{a} has burnt in {place} for {value}; the rule asks for {threshold}.",
    "meets_rule.smoke": "A grey veil, such as smoke or steam, hangs in {place} with a likelihood"
    " of {value}; the rule asks for {threshold}.",
    "meets_rule.abandoned": "{a} has been alone in {place} for {value}; the rule asks for"
    " {threshold}.",
    "meets_rule.removed": "{a} stood in {place} for {value} and is gone; the rule asks for"
    " {threshold}.",
    "meets_rule.s": "{a} stayed {value} in {place}; the rule asks for {threshold}.",
    "meets_rule.zone.picture": "{a} came into {place}, {value} beyond its edge.",
    "meets_rule.zone.picture.whole": "{a} came into {place}, which is all of the picture.",
    "meets_rule.line.picture": "{a} crossed {place} and stood {value} beyond it.",
    "meets_rule.zone_exit": "{a} left {place}.",
    "meets_rule.crowd": "{value} were in {place} at the same time; the rule asks for {threshold}.",
    "meets_rule.wrong_way": "{a} went {value} off the direction that is allowed in {place}.",
    "meets_rule.speed": "{a} went {value} in {place}; the rule allows less than {threshold}.",
    "meets_rule.running": "{a} went {value} in {place}; from {threshold} on it is running.",
    "meets_rule.tailgate": "{a} crossed {place} {value} after another;"
    " the rule asks for more than {threshold} between them.",
    "meets_rule.sequence": "{a} did the last of the two things that rule {rule} watches for,"
    " {value} after the first.",
    "meets_rule.fall": "{a} fell in {place} with a likelihood of {value}; the rule asks for"
    " {threshold}.",
    "meets_rule.fight": "In {place} people move against each other as in a fight, with a likelihood"
    " of {value}; the rule asks for {threshold}.",
    "meets_rule": "{a} met rule {rule} at {place}: {value}; the rule asks for {threshold}.",
    "contradicted": "A rule reported this, but the measurements contradict it.",
    "unverified": "A rule reported this; it could not be checked against measurements.",
    "abstained": "A rule reported this; nothing was reasoned about it.",
    "more": "{count} more like it are listed with it.",
    "more.1": "One more like it is listed with it.",
}
"""First sentence of a summary."""

WHY: Final[Mapping[str, str]] = {
    "is_intrusion": "Rule {rule} allows nobody there",
    "is_entry": "Rule {rule} watches who comes in there",
    "is_crossing": "Rule {rule} watches who crosses there",
    "is_loitering": "Rule {rule} watches who stays there",
    "is_exit": "Rule {rule} watches who goes out there",
    "is_crowd": "Rule {rule} watches how many come together there",
    "is_wrong_way": "Rule {rule} allows one direction there",
    "is_speeding": "Rule {rule} limits the speed there",
    "is_running": "Rule {rule} watches who runs there",
    "is_tailgating": "Rule {rule} watches who slips through behind others there",
    "is_sequence": "Rule {rule} watches for the one after the other",
    "is_fall": "Whoever lies there may need help",
    "is_fight": "Somebody may be hurt",
    "is_abandoned": "Whoever left it is not with it",
    "is_removal": "It was not put down anywhere in the picture",
    "is_fire": "Fire spreads within minutes",
    "is_smoke": "Where smoke is there may be fire, and from afar steam and dust look the same",
    "is_tamper": "Until it sees again nothing is watched here",
}
"""Why it matters, by hypothesis; ``RULED_OUT`` or ``NONE_RULED_OUT`` ends the sentence."""

RULED_OUT: Final = "{why}; ruled out: {causes}."
NONE_RULED_OUT: Final = "{why}; no harmless cause could be ruled out."
AGAINST: Final = "Against it: {counters}"
NOTHING_AGAINST: Final = "Nothing that was measured speaks against it."
LOWERED: Final = "So it is watched, with severity {after} instead of {before}."
WATCHED: Final = "So it is watched; severity stays {before}, the lowest."
NOT_REASONED: Final = "The reasoning failed ({error}), so the rule's word stands alone."

WHOLE_PICTURE: Final = "the picture"
UNKNOWN_LABEL: Final = "object"
SOMETHING: Final = "something"
IT: Final = "it"
AND: Final = " and "
PLURALS: Final[Mapping[str, str]] = {"person": "people", "object": "things", "bus": "buses"}
AND_MORE: Final = "{first} and {count} more"
"""For several tracks of different kinds."""
NUMBERED: Final = "{label} {track}"
VOWELS: Final = "aeiou"
UNCOUNTED: Final = frozenset({"smoke"})

UNITS: Final[Mapping[str, str]] = {
    "s": "{number} s",
    "picture": "{number} % of the picture",
    "picture/s": "{number} % of the picture per second",
    "share": "{number} %",
    "1": "{number}",
    "deg": "{number} degrees",
    "m/s": "{number} m/s",
    "height": "{number} body heights",
    "height/s": "{number} body heights per second",
    "1/m2": "{number} per square metre",
}


def indefinite(label: str) -> str:
    """Return "a person", "an animal"; "something" where the kind is not known."""
    if label == UNKNOWN_LABEL:
        return SOMETHING
    if label in UNCOUNTED:
        return label
    return f"{'an' if label[:1].lower() in VOWELS else 'a'} {label}"


def definite(label: str) -> str:
    """Return "the person"; "it" where the kind is not known."""
    return IT if label == UNKNOWN_LABEL else f"the {label}"


def bare(label: str) -> str:
    """Return "person"; "something" where the kind is not known."""
    return SOMETHING if label == UNKNOWN_LABEL else label


def plural(label: str, count: int) -> str:
    """Return "2 people", "3 cars", "2 things"."""
    return f"{count} {PLURALS.get(label, label + 's')}"
