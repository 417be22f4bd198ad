// Multus, the meta-plugin that gives pods further NICs, as the suites run it (`test/kube/assets.ts`). The replacements are those of its own go.mod.
module hawser.dev/test/kube/multus

go 1.26

require gopkg.in/k8snetworkplumbingwg/multus-cni.v4 v4.1.3

replace (
	github.com/gogo/protobuf => github.com/gogo/protobuf v1.3.2
	k8s.io/api => k8s.io/api v0.29.0
	k8s.io/apimachinery => k8s.io/apimachinery v0.29.0
	k8s.io/client-go => k8s.io/client-go v0.29.0
	k8s.io/kube-openapi => k8s.io/kube-openapi v0.0.0-20230501164219-8b0f38b5fd1f
	k8s.io/kubelet => k8s.io/kubelet v0.29.0
)
