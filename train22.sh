cd /work/runs
exec nice -n 15 ./run2.sh residualbind sweep train22.tsv --out fleet22 --workers 2 --data data/all.tsv --format table --set-column set --transform zscore --epochs 3 --n-resamples 200
