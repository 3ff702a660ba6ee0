"""What the robustness commands share: cases, programs, the screen, mutations, hostile files."""
