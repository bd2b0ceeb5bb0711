"""Every panel of Koo et al. (2021), beside what the paper says of it.

    python -m benchmarks.paper --out paper [--data FOLDER] [--panels 2b 3c]

from the root of the repository; `make paper` calls it. docs/paper.md says what a folder
of data may hold and what each panel shows. Not needed by either package.
"""
