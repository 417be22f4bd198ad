import { agnhostImage } from './images.ts';

/** A Deployment of the test image, which answers `/hostname` and is ready when kubelet has been answered. */
export function deploymentYaml(name: string, replicas: number): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  replicas: ${replicas}
  selector:
    matchLabels: {app: ${name}}
  template:
    metadata:
      labels: {app: ${name}}
    spec:
      terminationGracePeriodSeconds: 1
      enableServiceLinks: false
      automountServiceAccountToken: false
      containers:
        - name: web
          image: ${agnhostImage}
          args: [netexec, --http-port=8080]
          readinessProbe:
            httpGet: {path: /hostname, port: 8080}
            periodSeconds: 2
            timeoutSeconds: 5
`;
}

/** A NetworkPolicy of this name that lets nobody into the pods of the Deployment of the same name. */
export function noIngressYaml(name: string): string {
  return `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: ${name}
spec:
  podSelector:
    matchLabels: {app: ${name}}
  policyTypes: [Ingress]
`;
}

/** A pod of the test image on this node with a second NIC, on the Network of docs/examples/second-nic.yaml. */
export function twoNicsYaml(name: string, nodeName: string): string {
  return `apiVersion: v1
kind: Pod
metadata:
  name: ${name}
  annotations:
    k8s.v1.cni.cncf.io/networks: backend
spec:
  nodeName: ${nodeName}
  terminationGracePeriodSeconds: 1
  containers:
    - name: web
      image: ${agnhostImage}
      args: [netexec, --http-port=8080]
      readinessProbe:
        httpGet: {path: /hostname, port: 8080}
        periodSeconds: 1
`;
}

/** A pod of the test image on this node, which answers `/hostname` at a port of the node, too. */
export function hostPortYaml(name: string, nodeName: string, hostPort: number): string {
  return `apiVersion: v1
kind: Pod
metadata:
  name: ${name}
spec:
  nodeName: ${nodeName}
  terminationGracePeriodSeconds: 1
  containers:
    - name: web
      image: ${agnhostImage}
      args: [netexec, --http-port=8080]
      ports:
        - {containerPort: 8080, hostPort: ${hostPort}}
      readinessProbe:
        httpGet: {path: /hostname, port: 8080}
        periodSeconds: 2
`;
}
