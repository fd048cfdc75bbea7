# gyre: build, run, test. `make help` lists the targets.
#
#   FLAVOUR builds live side by side in build/: release (default), and one per CC and SANITIZE.

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

WARNINGS  := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
             -Wcast-align -Wwrite-strings -Wundef -Wvla -Wformat=2 -Wimplicit-fallthrough \
             -Wconversion -Wno-sign-conversion
HARDENING := -fstack-protector-strong -fPIE $(if $(SANITIZE),,-D_FORTIFY_SOURCE=2)
CFLAGS    ?= -O2 -g
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -pthread -I. -I$(OUT)/include $(LLHTTP_CFLAGS) $(PKG_CFLAGS) $(WARNINGS) \
             $(HARDENING) $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer \
             $(if $(findstring undefined,$(SANITIZE)),-fno-sanitize-recover=undefined),) $(CFLAGS)
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
SERVER_LIBS := -lmagic

LAYERS    := uring http conf server
MAIN      := server/main.c
sources    = $(filter-out $(MAIN),$(sort $(wildcard $(1)/*.c)))
objects    = $(patsubst %.c,$(OUT)/%.o,$(call sources,$(1)))

.PHONY: all deps deps-run deps-test run test e2e unit sim ring fuzz fuzz-build tidy format clean help bench
.DELETE_ON_ERROR:
all: $(BUILD)/gyre

help:
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 16

include test/test.mk
include test/fuzz/fuzz.mk

$(BUILD)/gyre: $(OUT)/gyre
	@cp -f $< $@.new && mv -f $@.new $@

$(OUT)/gyre: $(OUT)/server/main.o $(OUT)/server.a $(OUT)/http.a $(OUT)/conf.a $(OUT)/uring.a $(LLHTTP_DEP)
	$(CC) $(LDFLAGS_ALL) -o $@ $(OUT)/server/main.o $(OUT)/server.a $(OUT)/http.a $(OUT)/conf.a \
	    $(OUT)/uring.a $(LLHTTP_LIBS) $(INIH_LIBS) $(URING_LIBS) $(SERVER_LIBS)

define layer_rule
$(OUT)/$(1).a: $(call objects,$(1))
	@rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach layer,$(LAYERS),$(eval $(call layer_rule,$(layer))))

$(OUT)/%.o: %.c
	@mkdir -p $(@D)
	@$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Third-party C: strict mode on, our warnings off.
LLHTTP_OBJECTS := $(addprefix $(OUT)/llhttp/,api.o http.o llhttp.o)
$(OUT)/llhttp.a: $(LLHTTP_OBJECTS)
	@rm -f $@ && ar rcs $@ $^
$(OUT)/llhttp/%.o: /usr/share/llhttp/%.c
	@mkdir -p $(@D)
	$(CC) -std=c11 -DLLHTTP_STRICT_MODE=1 -I/usr/share/include -I/usr/share/include/llhttp -fPIE \
	    $(if $(SANITIZE),-fsanitize=$(SANITIZE)) $(CFLAGS) -c -o $@ $<

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)

# --- set-up ------------------------------------------------------------------------------------
deps: ## install what the build needs (apt)
	@sh ./deps.sh build
deps-test: ## install what the tests need, too
	@sh ./deps.sh build test

run: deps ## set up, build, serve www/ at http://127.0.0.1:8080/
	@$(MAKE) --no-print-directory all
	$(BUILD)/gyre -c conf/www.ini www

clean: ## remove build/
	rm -rf $(BUILD)
