import Bundle
import Files

/// A line of kubespray's files.list.
struct OfficialFile: Hashable, Sendable {
  /// What the line says.
  let url: String
  /// The variable whose text in the download defaults it was evaluated from; `nil` where the lists do not tell.
  let variable: String?

  /// The lines with their variables: the script takes every line of the defaults that has `download_url:` in it, in order.
  ///
  /// - Parameters:
  ///   - lines: The lines of files.list.
  ///   - defaults: The text of the download defaults.
  static func list(_ lines: [String], defaults: String) -> [OfficialFile] {
    let names = defaults.split(whereSeparator: \.isNewline).filter { $0.contains("download_url:") }.map {
      String($0.prefix { $0 != ":" })
    }
    guard names.count == lines.count else { return lines.map { OfficialFile(url: $0, variable: nil) } }
    return zip(lines, names).map { OfficialFile(url: $0, variable: $1) }
  }
}

extension HostEvaluation.Variable {
  /// Whether the user has set another address, and it is one.
  var isReplaced: Bool { own != nil && value != own?.value && value.map(CatalogAssembly.isFileURL) == true }

  /// Where a file comes from: the address that is set, or kubespray's own where that is none.
  var source: String? {
    guard let own, value.map(CatalogAssembly.isFileURL) != true else { return value }
    return own.value
  }

  /// The address after which a file is placed in the bundle: kubespray's own, whatever it is fetched from, unless the one
  /// that is set tells another version, such as a build of one's own.
  var place: CatalogFile.Address? {
    if let own, let url = own.value, CatalogAssembly.isFileURL(url), !tellsOtherVersion(than: url) {
      return .init(url: url, template: own.template)
    }
    guard let value, CatalogAssembly.isFileURL(value) else { return nil }
    let isKnown =
      own == nil || template.hasPrefix("http") && URLTemplate(template).bindings(rendered: value) != nil
    return .init(url: value, template: isKnown ? template : value)
  }

  private func tellsOtherVersion(than own: String) -> Bool {
    guard let value, CatalogAssembly.isFileURL(value), let version = Self.version(of: value),
      let usual = Self.version(of: own)
    else { return false }
    return version != usual
  }

  /// The last folder of an address that is named like a version.
  private static func version(of url: String) -> Substring? {
    url.split(separator: "/").dropLast().last { $0.contains(/^v?[0-9]+\.[0-9]/) }
  }
}

extension HostEvaluation {
  /// Why an address that the user has set has no value, such as a secret that nothing opens.
  var failureOfOwnAddress: String? {
    errors.first { failure in
      urls[failure.subject].map { $0.own != nil && $0.value == nil } ?? false
    }.map { "\($0.subject): \($0.message)" }
  }
}

extension CatalogAssembly {
  /// Lets addresses that the user has set stand in place of kubespray's own, not beside them.
  ///
  /// Where only some hosts have another address, one of the two is enough: kubespray's checksum proves that they lead to
  /// the same file.
  mutating func replaceOwnAddresses() {
    for official in officialFiles {
      guard let variable = official.variable else { continue }
      let known = members.compactMap { $0.urls[variable] }
      warn(about: variable, known)
      guard let replaced = known.first(where: \.isReplaced), let url = replaced.value, let file = files[url]
      else { continue }
      let others = Set(known.compactMap(\.source) + [official.url] + known.compactMap(\.own?.value))
      for other in others.sorted() where other != url {
        guard let taken = files[other], taken.variable == nil || taken.variable == variable else { continue }
        let isAsked = known.contains { $0.source == other }
        guard !isAsked || taken.checksum != nil && taken.checksum == file.checksum else { continue }
        files[other] = nil
        take(taken, into: url)
      }
      files[url]?.isOfficial = true
    }
    // Without kubespray's own lists it is the proof that asks, and the bundle's own offline.yml that sets them.
    if !officialFiles.isEmpty { warnAboutAddresses() }
  }

  private mutating func take(_ file: CatalogFile, into url: String) {
    guard var kept = files[url] else { return }
    kept.isEnabled = kept.isEnabled || file.isEnabled
    kept.entries = Set(kept.entries + file.entries).sorted()
    kept.checksum = kept.checksum ?? file.checksum
    files[url] = kept
  }

  private mutating func warn(about variable: String, _ known: [HostEvaluation.Variable]) {
    for case let found in known where found.own != nil && found.value.map(Self.isFileURL) != true {
      warnings.insert(
        "\(variable) is \"\(maskingSecrets(in: found.value ?? ""))\", which is no http or https URL of a file; "
          + "kubespray's own address is used.")
    }
  }

  /// Says once of each address of an offline environment what comes from it: it may be that of the side without internet.
  private mutating func warnAboutAddresses() {
    for evaluation in members {
      for (name, address) in evaluation.addresses.sorted(by: { $0.key < $1.key }) where name != "http_server"
      {
        guard let value = address.value, !value.isEmpty else { continue }
        let urls = evaluation.urls.values.filter { $0.isReplaced && $0.template.contains(name) }.count
        let images = evaluation.images.values.filter { $0.template.contains(name) }.count
        guard urls + images > 0 else { continue }
        let what = urls > 0 ? counted(urls, "file comes", "files come") : "images come"
        warnings.insert(
          "\(name) is \(maskingSecrets(in: value)): \(what) from there instead of from kubespray's own addresses. If "
            + "it belongs to the machines without internet, take the offline.yml that sets it out of this inventory."
        )
      }
    }
  }
}

/// What image names begin with.
enum ImageBase {
  /// The variable that makes a name invalid, with its value; `nil` where no image base is to blame.
  static func wrong(
    for name: String, in evaluation: HostEvaluation
  ) -> (variable: String, value: String)? {
    let bases = evaluation.images.filter { $0.key.hasSuffix("_repo") }.filter { variable in
      // Where there is no value, a template has nothing in its place.
      let text = variable.value.value ?? ""
      return name.hasPrefix(text) && !isUsable(text)
    }
    // The one that others begin with.
    let roots = bases.filter { base in
      !bases.keys.contains { $0 != base.key && base.value.template.contains($0) }
    }
    guard let base = roots.min(by: { $0.key < $1.key }) else { return nil }
    for (address, variable) in evaluation.addresses.sorted(by: { $0.key < $1.key })
    where base.value.template.contains(address) {
      return (address, variable.value ?? "")
    }
    return (base.key, base.value.value ?? "")
  }

  private static func isUsable(_ base: String) -> Bool { (try? ImageReference("\(base)/name:tag")) != nil }

  /// What is wrong with a base.
  static func reason(_ value: String) -> String {
    if value.isEmpty { return "is empty" }
    if let scheme = value.firstRange(of: "://") {
      return "has a scheme (\(value[..<scheme.upperBound])), which names of images cannot have"
    }
    if value.hasSuffix("/") { return "ends with a slash, and names of images would have two" }
    return "is nothing that the name of an image can begin with"
  }
}
