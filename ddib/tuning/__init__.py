"""What is fitted to a checkpoint: grids, steps, the way it is evaluated."""
