"""``vigil check-config``: whether settings and rules files fit together, before anything starts."""

import argparse

from api.console import say
from api.wiring.cameras import declared_cameras
from api.wiring.first_start import check_camera, check_settings
from contracts.cameras import redact_url
from contracts.settings import Settings
from vision.detect.registry import open_detector
from vision.sequence_across import check_across


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options: it has none of its own."""
    del parser


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print the cameras that would run; what is wrong is raised and printed by the caller."""
    del arguments
    check_settings(settings)
    open_detector(settings)  # reads the model file, if there is one
    cameras = declared_cameras(settings)
    for camera in cameras:
        check_camera(camera)
        check_across(camera, cameras)
        rules = ", ".join(f"{rule.rule_id} ({rule.kind})" for rule in camera.scene.rules)
        say(f"camera {camera.camera_id}: {redact_url(camera.source.url)}; rules: {rules or 'none'}")
    say(f"settings are valid; {len(cameras)} camera(s) declared")
    return 0
