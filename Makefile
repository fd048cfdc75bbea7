# gyre: build, run, test. `make help` lists the targets.
#
# Builds of different compilers and sanitizers live side by side in build/: `make CC=clang`,
# `make SANITIZE=address,undefined check`.

CC        ?= gcc
ifeq ($(origin CC),default)
CC        := gcc
endif
SANITIZE  ?=
BUILD     := build
comma     := ,
FLAVOUR   := $(notdir $(CC))$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)),)
OUT       := $(BUILD)/$(FLAVOUR)

PKGS      := liburing inih libmagic
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)

WARNINGS  := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
             -Wpointer-arith -Wcast-align -Wwrite-strings -Wundef -Wvla -Wformat=2 \
             -Wimplicit-fallthrough -Wconversion -Wno-sign-conversion
HARDENING := -fstack-protector-strong -fPIE $(if $(SANITIZE),,-D_FORTIFY_SOURCE=2)
CFLAGS    ?= -O2 -g
SANITIZING := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer) \
             $(if $(findstring undefined,$(SANITIZE)),-fno-sanitize-recover=undefined)
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -pthread -I. $(LLHTTP_CFLAGS) $(PKG_CFLAGS) $(WARNINGS) \
             $(HARDENING) $(SANITIZING) $(CFLAGS)
LDFLAGS_ALL = -pie -pthread -Wl,-z,relro,-z,now,-z,noexecstack \
             $(if $(SANITIZE),-fsanitize=$(SANITIZE)) $(LDFLAGS)

# llhttp: a library where the distribution ships one, else the C sources of Debian's node-llhttp.
LLHTTP_PKG := $(shell pkg-config --exists libllhttp 2>/dev/null && echo yes)
ifeq ($(LLHTTP_PKG),yes)
LLHTTP_CFLAGS := $(shell pkg-config --cflags libllhttp)
LLHTTP_LIBS   := $(shell pkg-config --libs libllhttp)
LLHTTP_DEP    :=
else
LLHTTP_CFLAGS := -isystem /usr/share/include
LLHTTP_LIBS   := $(OUT)/llhttp.a
LLHTTP_DEP    := $(OUT)/llhttp.a
endif

INIH_LIBS   := -linih
URING_LIBS  := -luring
SERVER_LIBS := -lmagic -lz -lbrotlienc -lzstd -lcrypto -lcrypt -larchive

LAYERS    := uring http conf server
MAIN      := server/main.c
sources    = $(filter-out $(MAIN),$(sort $(wildcard $(1)/*.c)))
objects    = $(patsubst %.c,$(OUT)/%.o,$(call sources,$(1)))

.PHONY: all deps deps-test run test check clean help
.DELETE_ON_ERROR:

# The plain build is put where everybody looks; others stay in the folder of their flavour.
ifeq ($(FLAVOUR),gcc)
all: $(BUILD)/gyre ## build build/gyre (the default target)
else
all: $(OUT)/gyre
endif

help: ## list the targets
	@sed -n 's/^\([a-z][a-z0-9-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | \
	    expand -t 18

include test/fuzz/fuzz.mk
include test/sim/sim.mk
include bench/bench.mk
include test/test.mk

$(BUILD)/gyre: $(OUT)/gyre
	@cp -f $< $@.new && mv -f $@.new $@

ARCHIVES := $(patsubst %,$(OUT)/%.a,server http conf uring)
$(OUT)/gyre: $(OUT)/server/main.o $(ARCHIVES) $(LLHTTP_DEP)
	@echo "  link $@"
	@$(CC) $(LDFLAGS_ALL) -o $@ $< $(ARCHIVES) $(LLHTTP_LIBS) $(INIH_LIBS) $(URING_LIBS) \
	    $(SERVER_LIBS)

define layer_rule
$(OUT)/$(1).a: $(call objects,$(1))
	@rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach layer,$(LAYERS),$(eval $(call layer_rule,$(layer))))

$(OUT)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  cc   $<"
	@$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Third-party C: strict mode on, our warnings off.
LLHTTP_OBJECTS := $(addprefix $(OUT)/llhttp/,api.o http.o llhttp.o)
$(OUT)/llhttp.a: $(LLHTTP_OBJECTS)
	@rm -f $@ && ar rcs $@ $^
$(OUT)/llhttp/%.o: /usr/share/llhttp/%.c
	@mkdir -p $(@D)
	@echo "  cc   $<"
	@$(CC) -std=c11 -DLLHTTP_STRICT_MODE=1 -I/usr/share/include -I/usr/share/include/llhttp -fPIE \
	    $(if $(SANITIZE),-fsanitize=$(SANITIZE)) $(CFLAGS) -c -o $@ $<

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)

# --- set-up ------------------------------------------------------------------------------------

deps: ## install what the build needs (apt)
	@sh ./deps.sh build
deps-test: ## install what the tests need, too
	@sh ./deps.sh build test

# The packages are installed first, so the build proper is a make of its own that sees them.
run: deps ## set up, build, serve www/ at http://127.0.0.1:8080/
	@$(MAKE) --no-print-directory all
	$(BUILD)/gyre -c conf/www.ini www

test: deps-test ## set up, build, run every test
	@$(MAKE) --no-print-directory check

clean: ## remove build/
	rm -rf $(BUILD)
