#!/bin/sh
# The README's pictures: the screen after a run, and a run's contact sheet.
# Needs rsvg-convert (Debian's librsvg2-bin) and the DejaVu fonts.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
sessions=$here/../sessions
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python -m workbench.tui.screenshot screen.svg --size 180x44 \
    --session "$sessions/keep-the-colour.yaml" --run --press down down right right right right
# The SVG asks for a font 12.2 px wide at 20 px; DejaVu Sans Mono is that wide at 20.27 px.
sed -i 's/font-family: *[^;]*;/font-family: DejaVu Sans Mono;/g; s/font-size: 20px/font-size: 20.27px/g
    s/&#160;/ /g; s/<text /<text xml:space="preserve" /g' screen.svg
rsvg-convert -o "$here/workbench.png" screen.svg
ddib-workbench replay "$sessions/fives-to-sevens.yaml" --out . >/dev/null
cp fives-to-sevens/sheet.png "$here/fives-to-sevens.png"
ddib-workbench replay "$sessions/interpolation.yaml" --out . >/dev/null
cp interpolation/filmstrip.png "$here/interpolation.png"
ddib-workbench replay "$sessions/synthetic-concentric-rings.yaml" --out . \
    --set target.checkpoint=synthetic-parallel-squares >/dev/null
cp synthetic-concentric-rings/sheet.png "$here/points.png"
