// Kubespray
