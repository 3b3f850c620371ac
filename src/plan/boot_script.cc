// The script of boot layers, src/plan/boot.sh, as bytes inside the program.
#include "plan/plan.h"

__asm__(
    ".pushsection .rodata\n"
    ".hidden kiln_boot_script_begin\n"
    ".global kiln_boot_script_begin\n"
    "kiln_boot_script_begin: .incbin \"" KILN_BOOT_SCRIPT
    "\"\n"
    ".hidden kiln_boot_script_end\n"
    ".global kiln_boot_script_end\n"
    "kiln_boot_script_end: .byte 0\n"
    ".popsection\n");

extern "C" {
extern const char kiln_boot_script_begin[];
extern const char kiln_boot_script_end[];
}

namespace kiln::plan {

std::string_view boot_script() {
  return {kiln_boot_script_begin, static_cast<std::size_t>(kiln_boot_script_end - kiln_boot_script_begin)};
}

}  // namespace kiln::plan
