"""Hot paths beside their floors, in one run on one machine; ratios, never timed assertions."""
