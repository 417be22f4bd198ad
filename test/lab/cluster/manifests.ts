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
