from .database import compare_motifs as compare_motifs
from .database import write_meme as write_meme
from .from_kmers import align_kmers as align_kmers
from .from_kmers import sensitivity_logo as sensitivity_logo
from .matrices import information_content as information_content
from .matrices import information_logo as information_logo
from .matrices import pwm_to_ppm as pwm_to_ppm
from .matrices import reverse_complement as reverse_complement
