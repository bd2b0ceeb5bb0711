from .tracks import annotated_regions as annotated_regions
from .tracks import track as track
from .tracks import write_bed as write_bed
from .tracks import write_bigwig as write_bigwig
