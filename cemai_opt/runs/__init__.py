"""The record of a run: its folder, front and summary, and their parts."""

from cemai_opt.runs.front import RunFront
from cemai_opt.runs.front_member import FrontMember
from cemai_opt.runs.record import RunRecord
from cemai_opt.runs.run_folder import RunFolder
from cemai_opt.runs.run_view import RunView
from cemai_opt.runs.summary import RunSummary

__all__ = ["FrontMember", "RunFolder", "RunFront", "RunRecord", "RunSummary", "RunView"]
