// The program kiln-init as bytes inside this one (cmake/KilnInit.cmake builds it first).
#include "sandbox/spawn.h"

__asm__(
    ".pushsection .rodata\n"
    ".balign 16\n"
    ".hidden kiln_init_begin\n"
    ".global kiln_init_begin\n"
    "kiln_init_begin: .incbin \"" KILN_INIT_PATH
    "\"\n"
    ".hidden kiln_init_end\n"
    ".global kiln_init_end\n"
    "kiln_init_end: .byte 0\n"
    ".popsection\n");

extern "C" {
extern const char kiln_init_begin[];
extern const char kiln_init_end[];
}

namespace kiln::sandbox {

std::string_view init_program() {
  return {kiln_init_begin, static_cast<std::size_t>(kiln_init_end - kiln_init_begin)};
}

}  // namespace kiln::sandbox
