#!/bin/sh
# The README's pictures: the screen after a run, and a run's contact sheet.
# Needs rsvg-convert (Debian's librsvg2-bin) and the DejaVu fonts.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python -m workbench.tui.screenshot "$work/screen.svg" --size 140x40 \
    --session sessions/keep-the-colour.yaml --run --press down down right
# The SVG asks for a font 12.2 px wide at 20 px; DejaVu Sans Mono is that wide at 20.27 px.
sed -i 's/font-family: *[^;]*;/font-family: DejaVu Sans Mono;/g; s/font-size: 20px/font-size: 20.27px/g' \
    "$work/screen.svg"
rsvg-convert -o .readme/workbench.png "$work/screen.svg"
ddib-workbench replay sessions/fives-to-sevens.yaml --out "$work" >/dev/null
cp "$work/fives-to-sevens/sheet.png" .readme/fives-to-sevens.png
