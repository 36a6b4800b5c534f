#ifndef TW_APART_H
#define TW_APART_H

/*
 * For loops that multiply: sums are kept in their order, in which there are enough registers, and nothing is loaded before the
 * step before is done.
 */
#if defined(__GNUC__) && !defined(__clang__)
#define TW_APART __attribute__((noinline, optimize("no-tree-reassoc")))
#define TW_STEP_ENDS __asm__ volatile("" ::: "memory")
#else
#define TW_APART
#define TW_STEP_ENDS ((void)0)
#endif

#endif
