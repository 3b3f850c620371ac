#include "plan/seal.h"

#include <algorithm>

#include "base/text.h"

namespace kiln::plan {

Seal::Seal(const Surroundings& world, std::span<const std::string> own) : world_(world), texts_(world.secrets) {
  texts_.insert(texts_.end(), own.begin(), own.end());
  std::erase(texts_, "");
  std::sort(texts_.begin(), texts_.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() > b.size() : a < b;
  });
}

bool Seal::hides(std::string_view text) const {
  return std::any_of(texts_.begin(), texts_.end(),
                     [&](const std::string& secret) { return text.find(secret) != std::string_view::npos; });
}

bool Seal::hides(const Json& value) const {
  if (value.is_string()) return hides(std::string_view(value.get_ref<const std::string&>()));
  if (!value.is_structured()) return hides(std::string_view(render_json(value)));
  for (const auto& [name, part] : value.items()) {
    if ((value.is_object() && hides(std::string_view(name))) || hides(part)) return true;
  }
  return false;
}

std::string Seal::fingerprint(std::string_view text) const {
  return hides(text) ? sealed(text) : sha256(text).hex();
}

std::string Seal::rendered(const Json& value) const {
  const std::string text = render_json(value);
  return hides(value) ? sealed(text) : text;
}

std::string Seal::masked(std::string_view text) const {
  constexpr std::size_t kMinSecret = 4;  // as event::SecretMask
  std::string shown(text);
  for (const std::string& secret : texts_) {
    if (secret.size() >= kMinSecret) shown = replace_all(std::move(shown), secret, "<sensitive>");
  }
  return shown;
}

}  // namespace kiln::plan
