import Bundle
import FoundationEssentials
import Integrity
import SystemPackage

@testable import DownloadAll
@testable import Kubespray

/// Readers of lists that stages work on.
let listReaders = [
  Reader(file: "image-list") { file in
    for image in (try? ImageList.read(file)) ?? [] {
      try hold((try? ImageReference("\(image.reference)")) == image.reference, "an image has its name")
    }
  },
  Reader(file: "url-list") { file in
    for isFlat in [true, false] { _ = try? URLList(file, isFlat: isFlat) }
  },
  Reader("cluster-objects") { bytes in
    guard let objects = try? JSONDecoder().decode(ClusterObjects.self, from: Data(bytes)) else { return }
    for object in objects.items { _ = object.images.map { try? ImageReference($0) } }
  },
  Reader("chart-index") { bytes in
    let chart = CatalogChart(
      name: "app", version: "1.0.0", repository: "https://charts.example.com/stable", release: "app",
      hasOwnImages: true, isEnabled: true, origin: "a reader")
    guard
      let listing = try? ChartListing(
        chart, index: bytes, url: "https://charts.example.com/stable/index.yaml")
    else { return }
    try hold(!listing.url.isEmpty, "a chart has an address")
  },
  Reader(file: "elf-program") { file in _ = try? ELFProgram.interpreter(of: file) },
]
