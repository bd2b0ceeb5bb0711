from .lease import LeaseError as LeaseError
from .ledger import read_ledger as read_ledger
from .pools import PoolLost as PoolLost
from .run import run_sweep as run_sweep
from .tasks import Done as Done
from .tasks import Task as Task
