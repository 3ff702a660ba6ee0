"""The one place that every line of the screen passes: nothing in it is obeyed by the terminal."""

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from workbench.support.text import clean_line


class CleanLines(LineFilter):
    """Shows what a terminal would obey as escapes; a line stays as wide as it was."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments of a line, cleaned."""
        text = "".join(segment.text for segment in segments if not segment.control)
        if clean_line(text) == text:
            return segments
        width = Segment.get_line_length(segments)
        cleaned = [
            segment if segment.control else Segment(clean_line(segment.text), segment.style)
            for segment in segments
        ]
        return Segment.adjust_line_length(cleaned, width)
