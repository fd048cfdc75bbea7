# Measuring. The figures, and how they are taken: bench/bench.py.
#
#   make bench           gyre beside its peers, every workload, in under 20 minutes
#   make bench-quick     small files, a site and large files, beside nginx, in under 2 minutes
#   make bench-ablation  what each of gyre's choices buys: one is turned off at a time
#   make bench-sweep     sizes and numbers of the chunks that large files are sent in
#   make compare         gyre beside its peers: who passes what, in a minute
#   make accept          byte-equal trees, a crowd, stops, little locked memory: ok or not
#
# Each takes BENCH_OPTIONS='--rounds 9 --only small', and all but accept write to bench/results/.

BENCH_OPTIONS ?=
BENCH_RESULTS := bench/results
BARE          := $(OUT)/bench/bare

.PHONY: bench-deps bench bench-quick bench-ablation bench-sweep accept compare-deps compare

$(BARE): $(OUT)/bench/bare.o
	@echo "  link $@"
	@$(CC) $(LDFLAGS_ALL) -o $@ $< $(URING_LIBS)

bench-deps:
	@sh ./deps.sh build bench

bench: bench-deps ## measure beside all peers
	@$(MAKE) --no-print-directory all $(BARE)
	python3 bench/bench.py --gyre $(BUILD)/gyre --bare $(BARE) --output $(BENCH_RESULTS) \
	    $(BENCH_OPTIONS)

bench-quick: bench-deps ## measure beside nginx
	@$(MAKE) --no-print-directory all
	python3 bench/bench.py --quick --gyre $(BUILD)/gyre --output $(BENCH_RESULTS) $(BENCH_OPTIONS)

bench-ablation: bench-deps ## what each choice buys
	@$(MAKE) --no-print-directory all
	python3 bench/ablation.py --gyre $(BUILD)/gyre --output $(BENCH_RESULTS) $(BENCH_OPTIONS)

bench-sweep: bench-deps ## sizes and numbers of chunks
	@$(MAKE) --no-print-directory all
	python3 bench/sweep.py --gyre $(BUILD)/gyre --output $(BENCH_RESULTS) $(BENCH_OPTIONS)

accept: bench-deps ## every byte, a crowd, stops, little memory, system calls
	@$(MAKE) --no-print-directory all
	python3 bench/accept.py --gyre $(BUILD)/gyre

compare-deps:
	@sh ./deps.sh build compare

compare: compare-deps ## who passes what: beside nginx, Apache, lighttpd, Caddy
	@$(MAKE) --no-print-directory all
	python3 bench/compare/compare.py --gyre $(BUILD)/gyre --output $(BENCH_RESULTS)
