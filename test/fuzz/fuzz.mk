# Fuzzing. test/fuzz/NAME_fuzz.c is one target, test/fuzz/corpus/NAME/ what it begins with, and
# test/fuzz/NAME.dict, where there is one, its words. The pure layers only: http/ and conf/.
#
#   make fuzz [FUZZ_SECONDS=60]   clang's libFuzzer, all targets sharing that time
#   make fuzz-replay              every corpus file once, any compiler; part of `make test`

FUZZ_SECONDS ?= 60
FUZZ_SOURCES := $(sort $(wildcard test/fuzz/*_fuzz.c))
FUZZ_TARGETS := $(patsubst %.c,$(OUT)/%,$(FUZZ_SOURCES))
FUZZ_REPLAYS := $(patsubst %_fuzz.c,$(OUT)/%_replay,$(FUZZ_SOURCES))
FUZZ_FLAVOUR  = CC=clang SANITIZE=fuzzer-no-link,address,undefined
FUZZ_ARCHIVES = $(OUT)/http.a $(OUT)/conf.a
FUZZ_LIBS     = $(FUZZ_ARCHIVES) $(LLHTTP_LIBS) $(INIH_LIBS)

.PHONY: fuzz-replay fuzz-targets
# Made for two programs each, so make would take them for leftovers of a chain and remove them.
.SECONDARY: $(FUZZ_TARGETS:%=%.o) $(FUZZ_REPLAYS:%=%.o)

fuzz: fuzz-build ## fuzz the parsers for FUZZ_SECONDS (60)
	python3 test/fuzz/fuzz.py --seconds $(FUZZ_SECONDS) --findings $(BUILD)/fuzz \
	    $(FUZZ_SOURCES:%.c=$(BUILD)/clang-fuzzer-no-link-address-undefined/%)

fuzz-build: ## build the fuzz targets, with clang
	@$(MAKE) --no-print-directory $(FUZZ_FLAVOUR) fuzz-targets

fuzz-targets: $(FUZZ_TARGETS)

fuzz-replay: $(FUZZ_REPLAYS)
	python3 test/run.py $(FUZZ_REPLAYS)

$(OUT)/test/fuzz/%_fuzz: $(OUT)/test/fuzz/%_fuzz.o $(FUZZ_ARCHIVES) $(LLHTTP_DEP)
	$(CC) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $< $(FUZZ_LIBS)

$(OUT)/test/fuzz/%_replay: $(OUT)/test/fuzz/%_fuzz.o $(OUT)/test/fuzz/%_replay.o $(FUZZ_ARCHIVES) \
                           $(LLHTTP_DEP)
	$(CC) $(LDFLAGS_ALL) -o $@ $(filter %.o,$^) $(FUZZ_LIBS)

$(OUT)/test/fuzz/%_replay.o: test/fuzz/replay_main.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -DFUZZ_NAME='"$*"' -MMD -MP -c -o $@ $<
