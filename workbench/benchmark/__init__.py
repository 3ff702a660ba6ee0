"""What solvers, networks and other implementations do on the machine at hand."""
