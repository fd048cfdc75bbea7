/* version: what `gyre --version` says. */
#ifndef GYRE_VERSION_H
#define GYRE_VERSION_H

#define GYRE_VERSION "0.1.0"

#endif
