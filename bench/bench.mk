# Measuring. The figures, and how they are taken: bench/bench.py.
#
#   make bench-quick [BENCH_OPTIONS='--rounds 9 --only small']   gyre beside nginx, under 2 minutes
#   make compare  gyre beside nginx, Apache, lighttpd and Caddy: who passes what, in a minute
#   make accept   byte-equal trees, a crowd, stops, little locked memory, system calls: ok or not
#
# bench-quick writes bench/results/quick.csv and quick.md, compare compare.csv and compare.md.

BENCH_OPTIONS ?=

.PHONY: bench-deps bench-quick accept compare-deps compare

bench-deps:
	@sh ./deps.sh build bench

bench-quick: bench-deps ## measure beside nginx
	@$(MAKE) --no-print-directory all
	python3 bench/bench.py --gyre $(BUILD)/gyre --output bench/results $(BENCH_OPTIONS)

accept: bench-deps ## every byte, a crowd, stops, little memory, system calls
	@$(MAKE) --no-print-directory all
	python3 bench/accept.py --gyre $(BUILD)/gyre

compare-deps:
	@sh ./deps.sh build compare

compare: compare-deps ## who passes what: beside nginx, Apache, lighttpd, Caddy
	@$(MAKE) --no-print-directory all
	python3 bench/compare/compare.py --gyre $(BUILD)/gyre --output bench/results
