"""Write the table of settings into docs/config.md from the settings themselves."""

from pathlib import Path

from api.settings_file import PREFIX, describe_settings

BEGIN = "<!-- settings: written by scripts/write_config_doc.py -->"
END = "<!-- end of settings -->"


def table() -> str:
    """Return the Markdown table of all settings."""
    lines = ["| setting | environment | default | meaning |", "|---|---|---|---|"]
    for name, default, meaning in describe_settings():
        variable = PREFIX + name.replace(".", "__").upper()
        shown = default if default not in ("", "None", "()") else "(empty)"
        lines.append(f"| `{name}` | `{variable}` | `{shown}` | {meaning} |")
    return "\n".join(lines)


def with_table(text: str) -> str:
    """Return the document with its table replaced."""
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    return f"{head}{BEGIN}\n{table()}\n{END}{tail}"


if __name__ == "__main__":
    document = Path(__file__).parents[1] / "docs" / "config.md"
    document.write_text(with_table(document.read_text(encoding="utf-8")), encoding="utf-8")
