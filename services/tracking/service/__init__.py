"""What tracking does: keep the projection (projection.py), answer from it (enquiries.py), take ratings."""
