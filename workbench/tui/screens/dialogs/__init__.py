"""Questions, pickers and pages to read, over another screen."""
