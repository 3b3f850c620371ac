// A module for clang-tidy that keeps the checks to our own files. Without it every check walks every declaration of
// every header that a file reads, the standard library's too: seven of eight seconds. tools/tidy.py builds and loads
// it.
#include <clang-tidy/ClangTidyCheck.h>
#include <clang-tidy/ClangTidyModule.h>
#include <clang-tidy/ClangTidyModuleRegistry.h>

namespace {

using namespace clang;

/// Narrows the walk when it begins, as the unit itself is the first thing that is matched.
class ScopeCheck : public tidy::ClangTidyCheck {
 public:
  using ClangTidyCheck::ClangTidyCheck;

  void registerMatchers(ast_matchers::MatchFinder* finder) override {
    finder->addMatcher(ast_matchers::translationUnitDecl().bind("unit"), this);
  }

  void check(const ast_matchers::MatchFinder::MatchResult& found) override {
    std::vector<Decl*> ours;
    for (Decl* decl : found.Context->getTranslationUnitDecl()->noload_decls()) {
      const SourceLocation place = found.SourceManager->getExpansionLoc(decl->getLocation());
      if (place.isValid() && !found.SourceManager->isInSystemHeader(place)) ours.push_back(decl);
    }
    found.Context->setTraversalScope(ours);
  }
};

class ScopeModule : public tidy::ClangTidyModule {
 public:
  void addCheckFactories(tidy::ClangTidyCheckFactories& factories) override {
    factories.registerCheck<ScopeCheck>("kiln-scope");
  }
};

const tidy::ClangTidyModuleRegistry::Add<ScopeModule> kRegistered("kiln-module", "checks look at our own files");

}  // namespace
