"""What people read: the run folder, tables, the front."""

from cemai_opt.report.documents import RunRecord, front_document, summary_document
from cemai_opt.report.footprint import Footprint
from cemai_opt.report.run_folder import RunFolder

__all__ = ["Footprint", "RunFolder", "RunRecord", "front_document", "summary_document"]
