#!/bin/sh
# How the checkpoints of this folder were made. Each also records its own command.
#   sh train.sh MNIST_FOLDER OUT_FOLDER
# MNIST_FOLDER holds MNIST's four raw files; an interrupted training goes on when run again.
set -eu
mnist=$1 out=$2
pictures=$(dirname "$0")/../../sessions/pictures
train() { ddib-workbench train --out "$out" "$@"; }
train --root "$mnist" --name cmnist-probe --probe --steps 1500 --batch 128
train --root "$mnist" --name cmnist-classifier --classifier --steps 1500 --batch 128
train --root "$mnist" --name cmnist-sevens --digit 7 --steps 2500
train --root "$mnist" --name cmnist-fives --digit 5 --steps 3000 --noise-levels mixed
train --root "$mnist" --name cmnist-digits --class-conditional --steps 5000 --noise-levels mixed
for shape in moons checkerboards concentric-rings concentric-squares parallel-rings parallel-squares
do
    train --name "synthetic-$shape" --dataset "$shape" --steps 5000 --learning-rate 0.002
done
for picture in coffee rocket; do
    train --name "colours-$picture" --dataset colours --root "$pictures/$picture.png" --size 64 \
        --steps 5000 --learning-rate 0.002
done
