"""The workbench: sessions, runs, the engine process and the screen, over the `ddib` library."""
