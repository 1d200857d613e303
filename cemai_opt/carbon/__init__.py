"""Carbon intensities, which convert joules to grams, and an independent audit."""

from cemai_opt.carbon.audit import Audit, AuditReading
from cemai_opt.carbon.intensity import WORLD_G_PER_KWH, cloud_intensity, national_intensity
from cemai_opt.carbon.live_intensity import SAMPLE_EVERY_S, IntensitySeries, LiveIntensity
from cemai_opt.carbon.low_carbon import LowCarbonGate, Saving, read_forecast, saving_line

__all__ = [
    "SAMPLE_EVERY_S",
    "WORLD_G_PER_KWH",
    "Audit",
    "AuditReading",
    "IntensitySeries",
    "LiveIntensity",
    "LowCarbonGate",
    "Saving",
    "cloud_intensity",
    "national_intensity",
    "read_forecast",
    "saving_line",
]
