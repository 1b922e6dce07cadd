"""The dashboards: made here by code, kept as JSON in dashboards/."""
