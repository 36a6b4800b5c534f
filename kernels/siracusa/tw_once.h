/*
 * For Network.c, before everything else: most of its code runs once a run, so it costs what fetching it costs, 19 cycles
 * for 16 bytes.
 */
#ifndef TW_ONCE_H
#define TW_ONCE_H

#if defined(__riscv) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("Os")
#endif

#endif
