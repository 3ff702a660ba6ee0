"""The colours of the screen: quiet greys, so that the pictures are the brightest thing on it."""

from textual.theme import Theme

THEME = Theme(
    name="bench",
    dark=True,
    primary="#6fa8dc",
    secondary="#8f9bb3",
    accent="#e8a04c",
    foreground="#d3d7de",
    background="#13161b",
    surface="#1a1e25",
    panel="#232932",
    success="#7fbf7f",
    warning="#e0b34d",
    error="#ef7070",
    variables={
        "source": "#6fa8dc",
        "target": "#e8a04c",
        "dim": "#8a92a0",
        "faint": "#565e6b",
        "line": "#39414d",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-background": "#2f4a68",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-foreground": "#d3d7de",
        "block-cursor-blurred-background": "#272d37",
        "input-cursor-background": "#d3d7de",
        "input-cursor-foreground": "#13161b",
        "scrollbar": "#39414d",
        "scrollbar-background": "#1a1e25",
        "scrollbar-corner-color": "#1a1e25",
    },
)
