"""Races: several contenders do the same to one row at the same moment, round after round."""
