import Bundle
import Cache
import Foundation
import Host
import Integrity
import Kubespray
import SystemPackage
import Testing

/// What must hold for every kubespray: nothing official is missing, every file has a place, and Ansible itself
/// with our offline.yml asks for exactly these places.
func checkConformance(
  _ evaluation: TreeEvaluation, withoutChecksum: Set<String> = [], reporting: Bool = false
) async throws {
  let start = ContinuousClock.now
  let catalog = try await evaluation.evaluate()
  let duration = ContinuousClock.now - start
  let files = try evaluation.officialList("files")
  let images = try evaluation.officialList("images")
  #expect(Set(files).isSubset(of: catalog.files.map(\.url)))
  #expect(Set(images).isSubset(of: catalog.images.map(\.reference)))
  #expect(catalog.files.filter(\.isOfficial).count == Set(files).count)
  #expect(catalog.images.filter(\.isOfficial).count == Set(images).count)
  #expect(catalog.images.contains { $0.isEnabled && $0.reference.contains("/kube-apiserver:v") })
  #expect(Set(catalog.files.filter { $0.checksum == nil }.map(\.url)) == withoutChecksum)
  if reporting {
    let plain = try await evaluation.durationOfOfficialScript()
    report(catalog, "\(evaluation.workingCopy.version), \(duration) against \(plain) of the script alone")
  }
  for name in FileLayoutName.allCases { try await checkOffline(evaluation, catalog, FileLayout(name: name)) }
}

/// Prints the numbers of a catalog and all that the official lists do not have.
private func report(_ catalog: Catalog, _ title: String) {
  let files = catalog.files
  let images = catalog.images
  print(
    """
    kubespray \(title)
      files \(files.count): official \(files.count { $0.isOfficial }), enabled \(files.count { $0.isEnabled }), \
    with checksum \(files.count { $0.checksum != nil })
      images \(images.count): official \(images.count { $0.isOfficial }), enabled \(images.count { $0.isEnabled })
    """)
  for file in files where !file.isOfficial { print("  + \(file.url) (\(file.origin))") }
  for image in images where !image.isOfficial { print("  + \(image.reference) (\(image.origin))") }
  for warning in catalog.warnings { print("  ! \(warning)") }
}

/// Evaluates the tree with offline.yml: every URL must be below files_repo at the file's place, every image
/// below registry_host under its push name.
private func checkOffline(
  _ evaluation: TreeEvaluation, _ catalog: Catalog, _ layout: FileLayout
) async throws {
  let inventory = OfflineInventory(version: evaluation.workingCopy.version, layout: layout)
  let places = try layout.placements(of: catalog.files)
  let text = try inventory.render(catalog).replacing("YOUR_HOST", with: "admin.example")
  let evaluator = CatalogEvaluator(
    workingCopy: evaluation.workingCopy, environment: evaluation.environment, architecture: .amd64,
    cache: evaluation.cache)
  let offline = try await ClosureEvaluator(evaluator, offline: text).evaluate().catalog

  let files = offline.files
  let expected = Set(places.values.map { "http://admin.example/files/\($0.path)" })
  #expect(Set(files.map(\.url)) == expected, "files.layout \(layout.name.rawValue)")
  let reachable = Set(
    try catalog.images.map { image in
      let reference = try ImageReference(image.reference)
      return "admin.example:35000/" + reference.pushName(strippedRegistries: inventory.strippedRegistries)
    })
  let asked = Set(offline.images.map(\.reference))
  #expect(asked.subtracting(reachable).isEmpty)
  #expect(asked.count == reachable.count)
}
