// A main() for the harnesses where libFuzzer is not linked in: feeds them every file of the directories named.
#include <cstdio>

#include "fuzz/harness.h"

int main(int argc, char** argv) {
  int fed = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : kiln::fs::directory_iterator(argv[i])) {
      auto text = kiln::read_file(entry.path());
      if (!text) continue;
      std::fprintf(stderr, "%s\n", entry.path().c_str());
      LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text->data()), text->size());
      ++fed;
    }
  }
  return fed > 0 ? 0 : 1;
}
