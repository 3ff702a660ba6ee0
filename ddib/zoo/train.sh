#!/bin/sh
# How the checkpoints of this folder were made. Each also records its own command.
#   sh train.sh MNIST_FOLDER OUT_FOLDER
# MNIST_FOLDER holds MNIST's four raw files; an interrupted training goes on when run again.
set -eu
mnist=$1 out=$2
train() { ddib-workbench train --root "$mnist" --out "$out" "$@"; }
train --name cmnist-probe --probe --steps 1500 --batch 128
train --name cmnist-classifier --classifier --steps 1500 --batch 128
train --name cmnist-sevens --digit 7 --steps 2500
train --name cmnist-fives --digit 5 --steps 3000 --noise-levels mixed
train --name cmnist-digits --class-conditional --steps 5000 --noise-levels mixed
