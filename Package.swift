// swift-tools-version: 6.2
import PackageDescription

// The house: lower floors know nothing of the floors above (see CONTRIBUTING.md). A module imports only what
// its target lists here, so an import upwards does not compile.
var swiftSettings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
]
// Set by CI. A flag of the command line would hold for the dependencies too, whose warnings are not ours.
if Context.environment["WARNINGS_AS_ERRORS"] != nil { swiftSettings.append(.treatAllWarnings(as: .error)) }

let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")

let package = Package(
  name: "kubespray-offline",
  products: [
    .executable(name: "download-all", targets: ["download-all"]),
    .executable(name: "target-setup", targets: ["target-setup"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
  ],
  targets: [
    // Floor 0: system libraries.
    .systemLibrary(
      name: "CCurl", pkgConfig: "libcurl",
      providers: [.apt(["libcurl4-openssl-dev"]), .yum(["libcurl-devel"])]),
    .systemLibrary(
      name: "CArchive", pkgConfig: "libarchive",
      providers: [.apt(["libarchive-dev"]), .yum(["libarchive-devel"])]),
    .systemLibrary(
      name: "CYAML", pkgConfig: "yaml-0.1",
      providers: [.apt(["libyaml-dev"]), .yum(["libyaml-devel"])]),
    .target(
      name: "Integrity",
      dependencies: [.product(name: "Crypto", package: "swift-crypto"), systemPackage],
      swiftSettings: swiftSettings),

    // Floor 1: one outside thing each.
    .target(name: "YAML", dependencies: ["CYAML"], swiftSettings: swiftSettings),
    .target(
      name: "Archive", dependencies: ["CArchive", "Integrity", systemPackage], swiftSettings: swiftSettings),
    .target(
      name: "Transfer", dependencies: ["CCurl", "Integrity", systemPackage], swiftSettings: swiftSettings),
    .target(
      name: "Host",
      dependencies: [.product(name: "Subprocess", package: "swift-subprocess"), systemPackage],
      swiftSettings: swiftSettings),
    .target(name: "Console", swiftSettings: swiftSettings),

    // Floor 2: what a bundle is.
    .target(
      name: "Bundle", dependencies: ["Integrity", systemPackage], swiftSettings: swiftSettings),
    // Above Bundle: settings name images and layouts of bundles.
    .target(
      name: "Settings", dependencies: ["YAML", "Bundle", systemPackage], swiftSettings: swiftSettings),

    // Floor 3: where its contents come from.
    .target(
      name: "Kubespray", dependencies: ["YAML", "Archive", "Host", "Bundle", "Integrity", systemPackage],
      swiftSettings: swiftSettings),

    .target(
      name: "Registry", dependencies: ["Transfer", "Archive", "Bundle", "Integrity", systemPackage],
      swiftSettings: swiftSettings),

    .target(
      name: "Mirrors", dependencies: ["YAML", "Archive", "Host", "Bundle", "Integrity", systemPackage],
      swiftSettings: swiftSettings),

    // Floor 4: the stages.
    .target(
      name: "DownloadAll",
      dependencies: [
        "YAML", "Archive", "Transfer", "Host", "Console", "Bundle", "Settings", "Kubespray", "Registry",
        "Mirrors",
        "Integrity", systemPackage,
      ],
      swiftSettings: swiftSettings),

    // Floor 4: the steps on the target. Neither the catalog nor the mirrors' resolvers are for it.
    .target(
      name: "TargetSetup",
      dependencies: [
        "YAML", "Archive", "Transfer", "Host", "Console", "Bundle", "Settings", "Registry", "Integrity",
        systemPackage,
      ],
      // Links to target-scripts/: bundles of the shell project have no such files.
      resources: ["nginx.conf", "nginx-default.conf", "registry-config.yml"].map {
        .embedInCode("ShellProject/BuiltIn/\($0)")
      },
      swiftSettings: swiftSettings),

    // Floor 5: argument parsing and printing.
    .target(
      name: "CommandSupport",
      dependencies: [
        "Console", "Settings", systemPackage,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: swiftSettings),
    .executableTarget(
      name: "download-all",
      dependencies: [
        "DownloadAll", "CommandSupport", "Console", "Bundle", "Settings", systemPackage,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: swiftSettings),

    .executableTarget(
      name: "target-setup",
      dependencies: [
        "TargetSetup", "CommandSupport", "Console", "Bundle", "Settings", "Host", systemPackage,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: swiftSettings),

    // A misbehaving HTTP server for the tests of several modules.
    .target(name: "TestServer", path: "Tests/TestServer", swiftSettings: swiftSettings),
    .testTarget(name: "TestServerTests", dependencies: ["TestServer"], swiftSettings: swiftSettings),

    .testTarget(
      name: "IntegrityTests", dependencies: ["Integrity", systemPackage], swiftSettings: swiftSettings),
    .testTarget(
      name: "ArchiveTests", dependencies: ["Archive", "Host", "Integrity", systemPackage],
      swiftSettings: swiftSettings),
    .testTarget(name: "ConsoleTests", dependencies: ["Console"], swiftSettings: swiftSettings),
    .testTarget(name: "HostTests", dependencies: ["Host", systemPackage], swiftSettings: swiftSettings),
    .testTarget(
      name: "TransferTests", dependencies: ["Transfer", "TestServer", "Integrity", systemPackage],
      swiftSettings: swiftSettings),
    .testTarget(name: "YAMLTests", dependencies: ["YAML"], swiftSettings: swiftSettings),
    .testTarget(
      name: "BundleTests", dependencies: ["Bundle", "Integrity", systemPackage],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "SettingsTests", dependencies: ["Settings", "Bundle", "YAML", systemPackage],
      swiftSettings: swiftSettings),
    // A registry in this process, which can misbehave too.
    .target(
      name: "TestRegistry", dependencies: ["Registry", "TestServer", "Integrity"], path: "Tests/TestRegistry",
      swiftSettings: swiftSettings),
    .testTarget(
      name: "RegistryTests",
      dependencies: [
        "Registry", "TestRegistry", "TestServer", "Transfer", "Archive", "Bundle", "Host", "Integrity",
        systemPackage,
      ],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "KubesprayTests",
      dependencies: ["Kubespray", "Bundle", "Host", "Integrity", "YAML", "Archive", systemPackage],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "MirrorsTests",
      dependencies: [
        "Mirrors", "TestServer", "Bundle", "Host", "Integrity", "YAML", "Archive", systemPackage,
      ],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "DownloadAllTests",
      dependencies: [
        "DownloadAll", "target-setup", "TestServer", "TestRegistry", "Bundle", "Settings", "Host", "Console",
        "Registry",
        "Kubespray",
        "Mirrors", "Transfer",
        "Integrity", systemPackage,
      ],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "TargetSetupTests",
      dependencies: [
        "TargetSetup", "TestServer", "TestRegistry", "Archive", "Bundle", "Settings", "Console", "Host",
        "Registry",
        "Transfer", "Integrity", systemPackage,
      ],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "CommandLineTests",
      dependencies: [
        "download-all", "target-setup", "CommandSupport", "Bundle", "Settings", "TargetSetup", systemPackage,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: swiftSettings),
  ],
  swiftLanguageModes: [.v6]
)
