# The server on a fake kernel. test/sim/sim_*_test.c are programs, the other files what they share.
#
#   make sim                     the directed tests, and SIM_SEEDS random runs (200)
#   SIM_SEED=7 SIM_SEEDS=1 build/gcc/test/sim/sim_fuzz_test      one of them again

SIM_TEST_SOURCES := $(sort $(wildcard test/sim/*_test.c))
SIM_SHARED       := $(filter-out $(SIM_TEST_SOURCES),$(sort $(wildcard test/sim/*.c)))
SIM_TESTS        := $(patsubst %.c,$(OUT)/%,$(SIM_TEST_SOURCES))
SIM_OBJECTS      := $(patsubst %.c,$(OUT)/%.o,$(SIM_SHARED))
# Of the real engine only what touches no kernel.
SIM_ENGINE       := $(OUT)/uring/token.o $(OUT)/uring/pool.o $(OUT)/uring/kind.o
SIM_ARCHIVES     := $(OUT)/server.a $(OUT)/http.a $(OUT)/conf.a

sim: $(SIM_TESTS) ## the server on a seeded fake kernel, SIM_SEEDS runs (200)
	python3 test/run.py $(SIM_TESTS)

$(OUT)/test/sim/%_test: $(OUT)/test/sim/%_test.o $(SIM_OBJECTS) $(SIM_ENGINE) $(SIM_ARCHIVES) \
                        $(LLHTTP_DEP)
	@echo "  link $@"
	@$(CC) $(LDFLAGS_ALL) -o $@ $< $(SIM_OBJECTS) $(SIM_ENGINE) $(SIM_ARCHIVES) $(LLHTTP_LIBS) \
	    $(INIH_LIBS) $(SERVER_LIBS) -lbrotlidec -lcmocka

.SECONDARY: $(SIM_OBJECTS) $(SIM_TESTS:%=%.o)
