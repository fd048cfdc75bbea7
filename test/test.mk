# Tests: every program prints TAP; test/run.py runs them, each with a time limit, and sums up.

TEST_CFLAGS  = $(ALL_CFLAGS) -Itest
UNIT_SOURCES := $(sort $(wildcard test/unit/*_test.c))
UNIT_TESTS   := $(patsubst %.c,$(OUT)/%,$(UNIT_SOURCES))
RING_SOURCES := $(sort $(wildcard test/ring/*_test.c))
RING_TESTS   := $(patsubst %.c,$(OUT)/%,$(RING_SOURCES))

# A unit test links the archives of the layer that its name begins with, and nothing above it; it is
# built as soon as these are, whatever the other layers are like.
ARCHIVES_http   = $(OUT)/http.a
ARCHIVES_conf   = $(OUT)/conf.a
ARCHIVES_uring  = $(OUT)/uring.a
ARCHIVES_server = $(OUT)/server.a $(OUT)/http.a $(OUT)/conf.a
LIBS_http       = $(LLHTTP_LIBS)
LIBS_conf       = $(INIH_LIBS)
LIBS_uring      = $(URING_LIBS)
LIBS_server     = $(LLHTTP_LIBS) $(INIH_LIBS) $(SERVER_LIBS) -lbrotlidec
link_test       = $(CC) $(TEST_CFLAGS) -MMD -MP -MF $@.d -MT $@ $(LDFLAGS_ALL) -o $@ $<

define unit_rule
$(OUT)/test/unit/$(1)_%: test/unit/$(1)_%.c $(ARCHIVES_$(1)) $(LLHTTP_DEP)
	@mkdir -p $$(@D)
	$$(link_test) $(ARCHIVES_$(1)) $(LIBS_$(1)) -lcmocka
endef
$(foreach layer,$(LAYERS),$(eval $(call unit_rule,$(layer))))

$(OUT)/test/ring/%: test/ring/%.c $(OUT)/uring.a
	@mkdir -p $(@D)
	$(link_test) $(ARCHIVES_uring) $(LIBS_uring) -lcmocka

# So many programs at once: tests wait more than they compute.
TEST_JOBS   ?= 4
TEST_RUN     = python3 test/run.py --jobs $(TEST_JOBS) --timeout 300

.PHONY: unit ring e2e build-tests check tidy

E2E_TESTS   := $(sort $(wildcard test/e2e/*_test.py))
TIDY_TESTS  := $(sort $(wildcard test/tidy/*_test.py))
BENCH_TESTS := $(sort $(wildcard test/bench/*_test.py))
C_TESTS      = $(UNIT_TESTS) $(RING_TESTS) $(SIM_TESTS) $(FUZZ_REPLAYS)

unit: $(UNIT_TESTS) ## the pure layers, each linked alone
	python3 test/run.py $(UNIT_TESTS)
ring: $(RING_TESTS) ## what we rely on the kernel for
	python3 test/run.py $(RING_TESTS)
e2e: $(OUT)/gyre ## the real binary over real sockets; ENGINE=epoll: on that engine
	GYRE=$(OUT)/gyre ENGINE=$(ENGINE) $(TEST_RUN) $(E2E_TESTS)

build-tests: $(OUT)/gyre $(BARE) $(C_TESTS) ## build every test, run none

# What is run on the other engine, too: a good part. `make e2e ENGINE=epoll` runs it all there.
BOTH_NAMES  := transfer connections framing ranges_wire conditions regressions stop freshness log
BOTH_TESTS  := $(patsubst %,ENGINE=epoll:test/e2e/%_test.py,$(BOTH_NAMES))

check: $(OUT)/gyre $(BARE) $(C_TESTS) ## build and run every test; packages must be there
	GYRE=$(OUT)/gyre BARE=$(BARE) $(TEST_RUN) $(C_TESTS) \
	    $(TIDY_TESTS) $(BENCH_TESTS) $(E2E_TESTS) $(BOTH_TESTS)

# Style, layering and formatting of every file; then the tools that judge, themselves.
tidy: ## style, layering, formatting
	python3 test/tidy/tidy.py
	python3 test/run.py test/tidy/run_test.py test/tidy/tidy_test.py
